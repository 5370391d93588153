// cin.cc: C++ streams on a device: by name, or std::cin with "-". cin NODE|-
#include <fstream>
#include <iostream>
#include <string>

int main(int argc, char **argv)
{
    std::ifstream file;
    bool named = argc > 1 && std::string(argv[1]) != "-";
    if (named) {
        std::ofstream(argv[1]) << "note" << std::flush;
        file.open(argv[1]);
    }
    std::istream &in = named ? file : std::cin;
    std::string name, rest;
    int number, sum = 0;
    while (in >> name >> number)
        sum += number;
    std::cout << sum << " " << name << std::endl;
    return !in.eof();
}
