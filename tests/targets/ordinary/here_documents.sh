# Here-documents, and redirections that fail.
cat << END
$(echo a; exit 3) $?
END
ls /nonexistent; echo $?; : > /nonexistent/x; echo after
