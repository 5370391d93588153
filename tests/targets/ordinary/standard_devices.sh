# Devices that nobody plugged.
head -c 3 /dev/zero | od -c
echo x > /dev/null
echo out > /dev/stdout
echo err > /dev/stderr
cat /dev/tty
