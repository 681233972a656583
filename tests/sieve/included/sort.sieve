require ["include", "variables", "fileinto"];
global "box";
if header :contains "subject" "list" { set "box" "Lists"; return; }
set "box" "Other";
