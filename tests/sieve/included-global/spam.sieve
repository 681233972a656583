require "include";
if header "subject" "spam" { discard; stop; }
