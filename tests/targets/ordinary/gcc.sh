# A compiler, and one that fails.
echo 'int main(void) { return 3; }' > a.c
cc -Wall -g -c a.c && cc -o a a.o && ./a
echo $?
cc b.c
