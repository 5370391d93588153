# As autoconf's scripts do: many small programs, temporary directories, redirections to fds 5 and 6, traps.
exec 5> config.log 6>&1
trap 'rm -rf conftest*; exit' 0 1 2 15
check() # MESSAGE PROGRAM
{
    printf 'checking %s... ' "$1" >&6
    mkdir conftest.dir && (cd conftest.dir && cat > conftest.c) && cp conftest.dir/conftest.c . && rm -r conftest.dir
    if eval "${CC-cc} -o conftest conftest.c" >&5 2>&1 && ./conftest$EXEEXT >&5; then
        echo yes >&6; echo "#define HAVE_$3 1" >> confdefs.h
    else
        echo no >&6; sed 's/^/| /' conftest.c >&5
    fi
    rm -f conftest*
}
: > confdefs.h
for header in stdio.h sys/ioctl.h linux/i2c-dev.h no/such.h; do
    name=$(printf %s "$header" | tr 'a-z./' 'A-Z__' | sed 's/[^A-Z_]/_/g')
    printf '#include <%s>\nint main(void) { return 0; }\n' "$header" | check "for $header" - "$name"
done
for type in int long 'void *' off_t; do
    for size in 4 8; do
        printf '#include <sys/types.h>\nint main(void) { return sizeof(%s) != %s; }\n' "$type" "$size" |
            check "whether $type has $size bytes" - "SIZE_$size"
    done
done
for tool in awk sed grep nosuchtool; do
    save=$IFS; IFS=:; found=
    for folder in $PATH; do
        IFS=$save
        test -z "$found" && test -f "$folder/$tool" && test -x "$folder/$tool" && found=$folder/$tool
    done
    echo "checking for $tool... ${found:-no}"
done
if (test -c /dev/null && test -w /dev/tty0) 2> /dev/null; then :; else echo 'no console'; fi
cat > config.status << END
sed -e 's|@prefix@|/usr|' "\$@"
END
echo 'prefix=@prefix@' > Makefile.in
sh config.status Makefile.in | tee Makefile
i=0; while test $i -lt 150; do i=$(expr $i + 1); done; echo "counted to $i"
sort confdefs.h | cksum
