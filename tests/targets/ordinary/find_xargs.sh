# Names with zero bytes between them.
find /usr/include/linux -name 'i2c*' -print0 | sort -z | xargs -0 grep -l ioctl
