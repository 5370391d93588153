# Programs that are killed, and one that handles a signal.
sh -c 'kill -SEGV $$'
echo $?
sh -c 'trap "echo got" USR1; kill -USR1 $$'
timeout 0.1 sleep 5
echo $?
