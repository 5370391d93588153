# A script as others write them, for bash and dash: redirections, pipes, globs, tests, here-documents.
# It knows nothing of devshim.  Prints "ok NAME" for each check and ends with 1 if one failed.
METER=/dev/meter0 BELL=/dev/bell0 GPS=/dev/ttyGPS0
ALL='delta 4
alpha 1
charlie 3
bravo 2'
failed=0

equal() # NAME WHAT EXPECTED
{
    if [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "FAILED $1: '$2' instead of '$3'"
        failed=1
    fi
}

equal substitution "$(cat $METER)" "$ALL"
equal input "$(cat < $METER)" "$ALL"
equal input-of-a-group "$({ read -r a; read -r b; echo "$b,$a"; } < $METER)" 'alpha 1,delta 4'
equal while-read "$(while read -r name number; do printf '%s=%s ' "$name" "$number"; done < $METER)" 'delta=4 alpha=1 charlie=3 bravo=2 '

read -r line < $METER
equal read-builtin "$line" 'delta 4'

exec 3<> $METER
read -r line <&3
equal descriptor-read "$line" 'delta 4'
equal inherited-descriptor "$(head -n 1 <&3)" 'alpha 1'
printf '30\n' >&3
equal descriptor-write $? 0
exec 4<&3
exec 3>&-
equal duplicated-descriptor "$(cat /proc/self/fd/4 | head -n 1)" 'delta 4'
exec 4<&-

exec 5< $METER
exec < $METER
read -r line
equal standard-input "$line" 'delta 4'
equal standard-input-of-a-child "$(cat <&5)" "$ALL"
equal dev-stdin "$(cat /dev/stdin | tail -n 1)" 'bravo 2'
exec 5<&-
exec < /dev/null

echo 31 > $METER
equal write $? 0
echo 32 >> $METER
equal append $? 0
{ echo 1000 > $METER; } 2> /dev/null
equal write-that-fails $? 1
(echo 33; echo 34) > $METER
equal write-of-a-subshell $? 0
cat > $METER << END
35
END
equal here-document $? 0
echo 36 | tee $METER > /dev/null
equal tee $? 0
set -C
{ echo 37 > $METER; } 2> /dev/null
equal noclobber $? 0
set +C

equal pipe "$(cat $METER | sort | head -n 1)" 'alpha 1'
equal glob "$(echo /dev/mete?[0-9] /dev/ttyG*)" '/dev/meter0 /dev/ttyGPS0'
equal no-match "$(echo /dev/mete?[a-z])" '/dev/mete?[a-z]'
equal dot "$(cd /dev && echo meter* && cat ./meter0 | wc -l)" 'meter0
4'

[ -c $METER ] && [ -e $METER ] && [ -r $METER ] && [ -w $METER ] && [ ! -f $METER ] && [ ! -x $METER ] && [ ! -s $METER ]
equal test $? 0
[ -t 0 ] < $GPS
equal test-terminal $? 0
[ -t 0 ] < $METER
equal test-no-terminal $? 1
[ $METER -ef /dev/../dev/meter0 ]
equal test-same $? 0
(cat /dev/meter1) 2> /dev/null
equal missing $? 1

echo > $BELL
read -r word number < $BELL
equal wait "$word" strike
{ sleep 0.1; echo > $BELL; } &
read -r word number < $BELL
equal wait-for-background-job "$word" strike
wait
cat $BELL > /dev/null &
kill $!
wait $! 2> /dev/null
equal killed-while-waiting $? 143

stty -F $GPS 9600 raw -echo
equal stty "$(stty -F $GPS speed)" 9600
exec 6<> $GPS
printf '$PMTK605*31\r\n' >&6
found=no
for try in 1 2 3 4 5 6 7 8 9 10; do
    read -r line <&6
    case $line in '$PMTK705'*) found=yes; break ;; esac
done
equal dialogue $found yes
exec 6>&-
equal grep-of-a-tty "$(grep -m 1 -o '5231.2000,N' < $GPS)" '5231.2000,N'

if [ -n "$BASH_VERSION" ]; then
    . "${0%.sh}.bash"
fi
exit $failed
