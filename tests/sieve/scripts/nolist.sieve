require "extlists";
redirect :list "no:such:list";
if address :list :comparator "i;octet" "from" ":addrbook:default" { keep; }
