# A version, the environment, and an end that fails.
perl -V:version
perl -e 'print sort map {"$_\n"} grep {!/PRELOAD|DEVSHIM|SAN_OPTIONS/} keys %ENV; die "end\n"'
