# A user moved a message out of Junk; what goes from there into the bin is still spam.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];
if environment :matches "imap.mailbox" "*" {
    set "mailbox" "${1}";
}
if string "${mailbox}" ["Trash", "Junk"] {
    stop;
}
pipe :copy :try "learn" ["ham"];
