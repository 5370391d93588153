# Objects made two at a time.
for i in 1 2 3 4; do echo "int f$i(void) { return $i; }" > f$i.c; done
echo 'int f1(void), f2(void), f3(void), f4(void); int main(void) { return f1() + f2() + f3() + f4() - 10; }' > main.c
printf 'prog: main.o f1.o f2.o f3.o f4.o\n\t@$(CC) -o $@ $^ && echo linked\n%%.o: %%.c\n\t@$(CC) -c -o $@ $<\n' > Makefile
make -j2 && ./prog && echo runs && make && touch f2.c && make -n | wc -l && ls
