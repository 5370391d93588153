# A list, and an end that fails.
/usr/bin/python3 -c 'import os, sys; print(sys.version, os.listdir("/")); sys.exit("no")'
echo $?
