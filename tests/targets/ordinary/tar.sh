# Archives of what is no regular file, too.
mkdir d
seq 1000 > d/a
mkfifo d/p
ln d/a d/b
ln -s a d/c
tar c d | tar t
tar cz d | tar xzO d/a | cksum
