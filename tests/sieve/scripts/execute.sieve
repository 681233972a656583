require ["vnd.dovecot.execute", "fileinto"]; execute "refuse"; fileinto "Never";
