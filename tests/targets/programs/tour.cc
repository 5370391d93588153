// A C++ program as others write them: iostreams, filesystem, threads, child processes.
// It knows nothing of devshim.  Prints "ok NAME" for each check and ends with 1 if one failed.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;

static const char *const METER = "/dev/meter0", *const BELL = "/dev/bell0", *const GPS = "/dev/ttyGPS0";
static const std::string READINGS = "delta 4\nalpha 1\ncharlie 3\nbravo 2\n";

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            throw std::runtime_error(std::string(#condition ": ") + std::strerror(errno));         \
    } while (0)

static std::string all(std::istream &stream)
{
    return { std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>() };
}

static std::string all(const char *path)
{
    std::ifstream file(path);
    return all(file);
}

static void ring()
{
    std::ofstream(BELL) << "ring" << std::endl;
}

static void input_streams()
{
    MUST(all(METER) == READINGS);
    std::ifstream meter(METER);
    std::string word, line;
    int number = 0;
    MUST(meter >> word >> number && word == "delta" && number == 4);
    MUST(meter.get() == '\n' && meter.peek() == 'a');
    MUST(std::getline(meter, line) && line == "alpha 1");
    std::array<char, 7> room;
    MUST(meter.read(room.data(), room.size()) && std::string(room.data(), 7) == "charlie");
    MUST(meter.readsome(room.data(), 2) == 2);
    std::ostringstream rest;
    rest << meter.rdbuf();
    MUST(rest.str() == "\nbravo 2\n");
    MUST(!std::ifstream("/dev/meter1"));
    std::ifstream unbuffered;
    unbuffered.rdbuf()->pubsetbuf(nullptr, 0);
    unbuffered.open(METER, std::ios::binary);
    MUST(all(unbuffered) == READINGS);
    meter.clear();
    MUST(!meter.seekg(0));
}

static void output_streams()
{
    std::ofstream meter(METER);
    MUST(meter << 80 << std::endl);
    MUST(!(meter << 1000 << std::endl));
    meter.clear();
    meter.close();
    MUST(std::ofstream(METER, std::ios::app) << "81\n" << std::flush);
    std::fstream both(METER, std::ios::in | std::ios::out);
    std::string line;
    MUST(std::getline(both, line) && line == "delta 4");
}

static void standard_input()
{
    std::string name;
    int number = 0, sum = 0;
    while (std::cin >> name >> number)
        sum += number;
    MUST(sum == 10);
}

static void c_streams()
{
    std::FILE *meter = std::fopen(METER, "r");
    char name[20], line[20];
    int number = 0;
    MUST(meter && std::fscanf(meter, "%19s %d\n", name, &number) == 2 && number == 4 && fileno(meter) >= 0);
    MUST(std::fgets(line, sizeof line, meter) && std::string(line) == "alpha 1\n");
    std::fclose(meter);
    std::FILE *pipe = popen("sort /dev/meter0", "r");
    MUST(std::fgets(line, sizeof line, pipe) && std::string(line) == "alpha 1\n");
    while (std::fgets(line, sizeof line, pipe))
        ;
    MUST(pclose(pipe) == 0);
    pipe = popen("cat > /dev/meter0", "w");
    std::fputs("82\n", pipe);
    MUST(pclose(pipe) == 0);
}

static void paths()
{
    MUST(fs::exists(METER) && fs::is_character_file(METER) && !fs::is_regular_file(METER) && fs::is_other(METER));
    MUST(fs::status(METER).permissions() == static_cast<fs::perms>(0666));
    MUST(fs::canonical("/dev/../dev/./meter0") == METER);
    std::multiset<std::string> names;
    for (const auto &entry : fs::directory_iterator("/dev")) {
        names.insert(entry.path().filename());
        if (entry.path() == METER)
            MUST(entry.is_character_file());
    }
    for (const char *name : { "meter0", "bell0", "ttyGPS0", "null" })
        MUST(names.count(name) == 1);
    auto copy = fs::temp_directory_path() / ("tour-" + std::to_string(getpid()));
    std::error_code error;
    MUST(!fs::copy_file(METER, copy, error) && error);
    std::ofstream(copy) << std::ifstream(METER).rdbuf();
    MUST(all(copy.c_str()) == READINGS);
    fs::remove(copy);
}

static void waiting()
{
    ring();
    std::ifstream bell(BELL);
    std::string line;
    MUST(std::getline(bell, line) && line.rfind("strike ", 0) == 0);
    auto later = std::async(std::launch::async, [] {
        std::ifstream bell(BELL);
        std::string line;
        std::getline(bell, line);
        return line;
    });
    MUST(later.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready);
    ring();
    MUST(later.get().rfind("strike ", 0) == 0);
}

static void threads()
{
    std::vector<std::string> texts(8);
    std::vector<std::thread> readers;
    for (auto &text : texts)
        readers.emplace_back([&text] { text = all(METER); });
    for (auto &reader : readers)
        reader.join();
    MUST(std::all_of(texts.begin(), texts.end(), [](const std::string &text) { return text == READINGS; }));
}

static void terminal()
{
    int fd = open(GPS, O_RDWR | O_NOCTTY);
    termios settings;
    MUST(fd >= 0 && isatty(fd) && tcgetattr(fd, &settings) == 0);
    cfmakeraw(&settings);
    cfsetspeed(&settings, B9600);
    MUST(tcsetattr(fd, TCSAFLUSH, &settings) == 0);
    std::ofstream out(GPS);
    std::ifstream in(GPS);
    out << "$PMTK605*31\r\n" << std::flush;
    std::string line;
    bool answered = false, reported = false;
    while ((!answered || !reported) && std::getline(in, line)) {
        answered |= line.rfind("$PMTK705", 0) == 0;
        reported |= line.rfind("$GPRMC", 0) == 0 && line.find("5231.2000,N") != std::string::npos;
    }
    MUST(answered && reported);
    close(fd);
}

static void processes()
{
    MUST(std::system("test -c /dev/meter0 && echo 83 > /dev/meter0") == 0);
    MUST(WEXITSTATUS(std::system("cat /dev/meter0 > /dev/null; exit 7")) == 7);
}

int main(int count, char **words)
{
    if (count > 1) {
        standard_input();
        return 0;
    }
    const std::vector<std::pair<const char *, std::function<void()>>> checks = {
        { "input_streams", input_streams }, { "output_streams", output_streams }, { "c_streams", c_streams },
        { "paths", paths }, { "waiting", waiting }, { "threads", threads }, { "terminal", terminal },
        { "processes", processes },
        { "standard_input", [&] { MUST(std::system((words[0] + std::string(" stdin < /dev/meter0")).c_str()) == 0); } },
    };
    int failed = 0;
    for (const auto &[name, check] : checks) {
        try {
            check();
            std::cout << "ok " << name << std::endl;
        } catch (const std::exception &problem) {
            std::cout << "FAILED " << name << ": " << problem.what() << std::endl;
            failed = 1;
        }
    }
    return failed;
}
