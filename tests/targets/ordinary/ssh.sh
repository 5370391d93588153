# What needs no network.
ssh -V
ssh -F /dev/null -G localhost | sort
ssh -o NoSuchOption=1 x
echo $?
ssh-keygen -l -f /dev/null
echo $?
