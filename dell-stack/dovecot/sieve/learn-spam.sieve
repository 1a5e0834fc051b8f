# A user moved a message into Junk.
require ["vnd.dovecot.pipe", "copy"];
pipe :copy :try "learn" ["spam"];
