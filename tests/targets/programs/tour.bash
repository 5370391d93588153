# What bash can do beyond POSIX; tour.sh reads this where bash runs it.
shopt -s nullglob extglob
read -r -t 10 -u 7 line 7< $METER
equal bash-read-descriptor "$line" 'delta 4'
read -r -t 0.05 line < $BELL
equal bash-read-times-out "$(($? > 128))" 1
read -r -n 3 line < $METER
equal bash-read-characters "$line" del
read -r -N 10 line < $METER
equal bash-read-exactly "$line" 'delta 4
al'
mapfile -t lines < $METER
equal bash-mapfile "${#lines[@]} ${lines[2]}" '4 charlie 3'
equal bash-file-substitution "$(< $METER)" "$ALL"
equal bash-process-substitution "$(sort <(cat $METER) | head -n 1)" 'alpha 1'
exec {fd}<> $METER
read -r line <&$fd
equal bash-named-descriptor "$line" 'delta 4'
exec {fd}>&-
equal bash-dev-fd "$(cat /dev/fd/9 9< $METER | wc -l)" 4
coproc cat $METER
read -r line <&${COPROC[0]}
equal bash-coprocess "$line" 'delta 4'
equal bash-globs "$(echo /dev/@(meter|bell)0 /dev/nothing*) $(cd /dev; echo !([!m]*|*[!0]))" '/dev/bell0 /dev/meter0 meter0'
[[ -c $METER && $METER -ef /dev/meter0 ]]
equal bash-test $? 0
wait
