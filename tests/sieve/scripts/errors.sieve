frop; keep 1;
