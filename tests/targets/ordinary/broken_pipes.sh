# Pipes that break.
yes | head -n 1
seq 100000 | head -n 1
(trap '' PIPE
seq 100000 2>&1 | head -n 1)
