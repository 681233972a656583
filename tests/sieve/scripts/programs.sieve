require ["vnd.dovecot.pipe", "vnd.dovecot.filter", "vnd.dovecot.execute"];
pipe "../frame";
filter "..";
execute "";
execute "frame" "a
b";
