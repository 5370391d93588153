// A Go program that uses the standard library alone, as others write them.  It knows nothing of devshim.
// Prints "ok NAME" for each check and ends with 1 if one failed.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	meter    = "/dev/meter0"
	bell     = "/dev/bell0"
	gps      = "/dev/ttyGPS0"
	bus      = "/dev/i2c-7"
	tally    = "/dev/tally0"
	readings = "delta 4\nalpha 1\ncharlie 3\nbravo 2\n"
)

func must(good bool, what ...any) {
	if !good {
		panic(fmt.Sprint(what...))
	}
}

func no(err error) {
	must(err == nil, err)
}

func request(direction, family, number, size uintptr) uintptr {
	return direction<<30 | size<<16 | family<<8 | number
}

func ioctl(file *os.File, number uintptr, argument unsafe.Pointer) (int, syscall.Errno) {
	result, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), number, uintptr(argument))
	return int(result), errno
}

func reads() {
	whole, err := os.ReadFile(meter)
	must(err == nil && string(whole) == readings, whole, err)
	file, err := os.Open(meter)
	no(err)
	defer file.Close()
	line, err := bufio.NewReaderSize(file, 16).ReadString('\n')
	must(err == nil && line == "delta 4\n", line, err)
	var copied bytes.Buffer
	count, err := io.Copy(&copied, file)
	must(err == nil && count == int64(len(readings)-16), count, err)
	_, err = os.Open("/dev/meter1")
	must(os.IsNotExist(err), err)
}

func writes() {
	file, err := os.OpenFile(meter, os.O_RDWR, 0)
	no(err)
	defer file.Close()
	_, err = file.WriteString("90\n")
	no(err)
	_, err = file.WriteString("1000\n")
	must(err != nil && strings.Contains(err.Error(), "numerical result out of range"), err)
	var state [2]int32
	_, errno := ioctl(file, request(2, 'm', 1, 8), unsafe.Pointer(&state))
	must(errno == 0 && state == [2]int32{42, 90}, errno, state)
	_, errno = ioctl(file, request(2, 'm', 1, 8), unsafe.Pointer(uintptr(16)))
	must(errno == syscall.EFAULT, errno)
	count, errno := ioctl(file, request(0, 'm', 4, 0), nil)
	must(errno == 0 && count == 4, errno, count)
}

func status() {
	named, err := os.Stat(meter)
	must(err == nil && named.Mode()&os.ModeCharDevice != 0, err)
	file, err := os.Open(meter)
	no(err)
	defer file.Close()
	opened, err := file.Stat()
	must(err == nil && os.SameFile(named, opened), err)
	entries, err := os.ReadDir("/dev")
	no(err)
	found := 0
	for _, entry := range entries {
		if "/dev/"+entry.Name() == meter && entry.Type()&os.ModeCharDevice != 0 {
			found++
		}
	}
	must(found == 1, found)
	must(syscall.Access(meter, 4) == nil)
}

// Reads wait in the poller of the run-time system, in its epoll.
func waiting() {
	file, err := os.OpenFile(bell, os.O_RDWR, 0)
	no(err)
	defer file.Close()
	heard := make(chan string)
	go func() {
		room := make([]byte, 100)
		for i := 0; i < 3; i++ {
			count, err := file.Read(room)
			no(err)
			heard <- string(room[:count])
		}
	}()
	for i := 1; i <= 3; i++ {
		_, err = file.WriteString("\n")
		no(err)
		must(strings.HasPrefix(<-heard, "strike "))
	}
	no(file.SetReadDeadline(time.Now().Add(50 * time.Millisecond)))
	_, err = file.Read(make([]byte, 100))
	must(os.IsTimeout(err), err)
}

func terminal() {
	file, err := os.OpenFile(gps, os.O_RDWR|syscall.O_NOCTTY, 0)
	no(err)
	defer file.Close()
	var settings syscall.Termios
	_, errno := ioctl(file, syscall.TCGETS, unsafe.Pointer(&settings))
	must(errno == 0, errno)
	settings.Cflag = settings.Cflag&^0x100f | syscall.B57600
	settings.Lflag &^= syscall.ICANON | syscall.ECHO
	_, errno = ioctl(file, syscall.TCSETS, unsafe.Pointer(&settings))
	must(errno == 0, errno)
	var after syscall.Termios
	_, errno = ioctl(file, syscall.TCGETS, unsafe.Pointer(&after))
	must(errno == 0 && after.Cflag == settings.Cflag, errno, after.Cflag, settings.Cflag)
	_, err = file.WriteString("$PMTK605*31\r\n")
	no(err)
	lines := bufio.NewScanner(file)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "$PMTK705") {
	}
	must(strings.HasPrefix(lines.Text(), "$PMTK705"), lines.Text())
}

type message struct {
	address, flags, length uint16
	buffer                 *byte
}

func transfers() {
	file, err := os.OpenFile(bus, os.O_RDWR, 0)
	no(err)
	defer file.Close()
	register, value := [1]byte{0}, [2]byte{}
	messages := [2]message{{0x48, 0, 1, &register[0]}, {0x48, 1, 2, &value[0]}}
	whole := struct {
		messages *message
		count    uint32
	}{&messages[0], 2}
	count, errno := ioctl(file, 0x0707, unsafe.Pointer(&whole))
	must(errno == 0 && count == 2 && value == [2]byte{0x15, 0x80}, errno, count, value)
}

// While collections of garbage interrupt the threads by signals, no call may be lost or done twice.
func parallel() {
	const each, together = 2500, 4
	stop := make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	var group sync.WaitGroup
	var lock sync.Mutex
	seen := map[int]bool{}
	for i := 0; i < together; i++ {
		file, err := os.Open(tally)
		no(err)
		defer file.Close()
		fd := file.Fd()
		group.Add(1)
		go func() {
			defer group.Done()
			own := make([]int, 0, each)
			for i := 0; i < each; i++ {
				number, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request(0, 't', 1, 0), 0)
				must(errno == 0, errno)
				own = append(own, int(number))
			}
			lock.Lock()
			for _, number := range own {
				seen[number] = true
			}
			lock.Unlock()
		}()
	}
	group.Wait()
	close(stop)
	file, err := os.Open(tally)
	no(err)
	defer file.Close()
	last, errno := ioctl(file, request(0, 't', 2, 0), nil)
	must(errno == 0 && last == each*together && len(seen) == last, errno, last, len(seen))
}

func children() {
	out, err := exec.Command("head", "-n1", meter).Output()
	must(err == nil && string(out) == "delta 4\n", string(out), err)
	file, err := os.Open(meter)
	no(err)
	defer file.Close()
	command := exec.Command("cat")
	command.Stdin = file
	out, err = command.Output()
	must(err == nil && string(out) == readings, string(out), err)
}

func check(name string, body func()) (failed int) {
	defer func() {
		if problem := recover(); problem != nil {
			fmt.Println("FAILED", name, problem)
			failed = 1
		}
	}()
	body()
	fmt.Println("ok", name)
	return 0
}

func main() {
	failed := check("reads", reads) | check("writes", writes) | check("status", status) | check("waiting", waiting) |
		check("terminal", terminal) | check("transfers", transfers) | check("parallel", parallel) | check("children", children)
	os.Exit(failed)
}
