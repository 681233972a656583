require "editheader"; addheader "X-Long" "more than ten";
