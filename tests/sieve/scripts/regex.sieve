require "regex";
if header :regex "a" "a(b" { }
if header :regex "a" "*" { }
if header :regex "a" "(a)\\1" { }
