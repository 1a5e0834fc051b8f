# Runs before every user's own filters.
require ["duplicate", "fileinto", "mailbox"];

# The gateway has no queue: after a lost reply or a half-stored message the sender sends it again. Its
# fingerprint says so. 10 days is longer than senders try.
if duplicate :header "X-MXGW-Fingerprint" :handle "mxgw" :seconds 864000 {
    discard;
    stop;
}

# What the scanner or the check of its author found suspicious. Users' filters do not see it: a vacation reply to
# spam tells the spammer that somebody is there.
if header :is "X-MXGW-Junk" "yes" {
    fileinto :create "Junk";
    stop;
}
