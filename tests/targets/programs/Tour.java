import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.FileReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A Java program as others write them: streams, readers, channels, NIO files, threads, child processes.
 * It knows nothing of devshim.  Prints "ok NAME" for each check and ends with 1 if one failed.
 */
public class Tour {
    static final String METER = "/dev/meter0", BELL = "/dev/bell0", GPS = "/dev/ttyGPS0";
    static final List<String> LINES = Arrays.asList("delta 4", "alpha 1", "charlie 3", "bravo 2");
    static final String READINGS = String.join("\n", LINES) + "\n";
    static boolean failed;

    interface Check {
        void run() throws Exception;
    }

    static void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Throwable problem) {
            System.out.println("FAILED " + name);
            problem.printStackTrace(System.out);
            failed = true;
        }
    }

    static void equal(Object what, Object expected) {
        if (!expected.equals(what))
            throw new AssertionError("'" + what + "' instead of '" + expected + "'");
    }

    static void fails(Class<?> kind, String words, Check check) throws Exception {
        try {
            check.run();
        } catch (Exception problem) {
            if (kind.isInstance(problem) && String.valueOf(problem.getMessage()).contains(words))
                return;
            throw problem;
        }
        throw new AssertionError("did not fail with " + words);
    }

    static String all(InputStream stream) throws IOException {
        byte[] room = new byte[100];
        StringBuilder text = new StringBuilder();
        try (stream) {
            for (int count; (count = stream.read(room)) >= 0; )
                text.append(new String(room, 0, count, StandardCharsets.US_ASCII));
        }
        return text.toString();
    }

    static void ring() throws IOException {
        Files.write(Paths.get(BELL), "ring\n".getBytes());
    }

    static String output(ProcessBuilder builder) throws Exception {
        Process process = builder.redirectErrorStream(true).start();
        String text = all(process.getInputStream());
        process.waitFor();
        return text + process.exitValue();
    }

    static void streams() throws Exception {
        equal(all(new FileInputStream(METER)), READINGS);
        try (FileInputStream meter = new FileInputStream(METER)) {
            byte[] room = new byte[7];
            equal(meter.read(), (int) 'd');
            equal(meter.read(room), 7);
            equal(new String(room), "elta 4\n");
            equal(all(meter), READINGS.substring(8));
        }
        try (FileInputStream meter = new FileInputStream(METER)) {
            fails(IOException.class, "Illegal seek", meter::available);  // these ask for a position, which there is none
            fails(IOException.class, "Illegal seek", meter::readAllBytes);
        }
        try (FileOutputStream meter = new FileOutputStream(METER)) {
            meter.write("60\n".getBytes());
            fails(IOException.class, "Numerical result out of range", () -> meter.write("1000".getBytes()));
        }
        try (FileOutputStream meter = new FileOutputStream(METER, true)) {
            meter.write('6');
        }
        fails(FileNotFoundException.class, "No such file", () -> new FileInputStream("/dev/meter1").close());
    }

    static void readers() throws Exception {
        try (BufferedReader meter = new BufferedReader(new FileReader(METER))) {
            equal(meter.readLine(), LINES.get(0));
            equal(meter.lines().collect(Collectors.toList()), LINES.subList(1, 4));
        }
        try (Scanner scanner = new Scanner(new File(METER))) {
            equal(scanner.next(), "delta");
            equal(scanner.nextInt(), 4);
        }
        try (PrintWriter writer = new PrintWriter(METER)) {
            writer.println(61);
            equal(writer.checkError(), false);
            writer.println(1000);
            equal(writer.checkError(), true);
        }
    }

    static void randomAccess() throws Exception {
        try (RandomAccessFile meter = new RandomAccessFile(METER, "rw")) {
            equal(meter.readLine(), LINES.get(0));
            meter.writeBytes("62\n");
            fails(IOException.class, "Illegal seek", () -> meter.seek(0));
        }
    }

    static void channels() throws Exception {
        ByteBuffer room = ByteBuffer.allocateDirect(100);
        try (FileChannel meter = FileChannel.open(Paths.get(METER), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            equal(meter.read(room), READINGS.length());
            equal(meter.read(room), -1);
            room.flip();
            equal(StandardCharsets.US_ASCII.decode(room).toString(), READINGS);
            equal(meter.write(ByteBuffer.wrap("63\n".getBytes())), 3);
            equal(meter.write(new ByteBuffer[] { ByteBuffer.wrap("6".getBytes()), ByteBuffer.wrap("4\n".getBytes()) }), 3L);
            fails(IOException.class, "Numerical result out of range", () -> meter.write(ByteBuffer.wrap("1000".getBytes())));
        }
        try (FileChannel meter = FileChannel.open(Paths.get(METER))) {
            ByteBuffer[] parts = { ByteBuffer.allocate(6), ByteBuffer.allocate(100) };
            equal(meter.read(parts), (long) READINGS.length());
        }
        fails(FileAlreadyExistsException.class, METER,
              () -> FileChannel.open(Paths.get(METER), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE).close());
    }

    static void files() throws Exception {
        Path meter = Paths.get(METER);
        equal(Files.readAllLines(meter), LINES);
        equal(Files.readString(meter), READINGS);
        try (Stream<String> lines = Files.lines(meter)) {
            equal(lines.count(), 4L);
        }
        try (BufferedReader reader = Files.newBufferedReader(meter)) {
            equal(reader.readLine(), LINES.get(0));
        }
        Files.write(meter, "65\n".getBytes());
        fails(IOException.class, "Numerical result out of range", () -> Files.write(meter, "1000".getBytes()));
        fails(NoSuchFileException.class, "/dev/meter1", () -> Files.readString(Paths.get("/dev/meter1")));
        Path copy = Files.createTempFile("tour", "copy");
        Files.delete(copy);
        try (InputStream stream = Files.newInputStream(meter)) {
            Files.copy(stream, copy);
        }
        equal(Files.readString(copy), READINGS);
        Files.delete(copy);
    }

    static void status() throws Exception {
        Path meter = Paths.get(METER);
        equal(Files.exists(meter) && Files.isReadable(meter) && Files.isWritable(meter) && !Files.isExecutable(meter), true);
        equal(Files.isRegularFile(meter) || Files.isDirectory(meter) || Files.isSymbolicLink(meter), false);
        BasicFileAttributes attributes = Files.readAttributes(meter, BasicFileAttributes.class);
        equal(attributes.isOther(), true);
        equal(attributes.size(), 0L);
        equal((int) Files.getAttribute(meter, "unix:mode") & 0170000, 0020000);
        equal(PosixFilePermissions.toString(Files.getPosixFilePermissions(meter)), "rw-rw-rw-");
        equal(Paths.get("/dev/../dev/./meter0").toRealPath(), meter);
        equal(Files.isSameFile(Paths.get("/dev/../dev/meter0"), meter), true);
        File file = new File(METER);
        equal(file.exists() && file.canRead() && file.canWrite() && !file.isFile() && !file.isDirectory(), true);
        equal(new File("/dev/./meter0").getCanonicalPath(), METER);
    }

    static void listings() throws Exception {
        List<String> wanted = Arrays.asList("bell0", "meter0", "null", "ttyGPS0");
        List<String> names = Arrays.asList(new File("/dev").list());
        equal(names.containsAll(wanted), true);
        try (Stream<Path> paths = Files.list(Paths.get("/dev"))) {
            equal(paths.map(path -> path.getFileName().toString()).collect(Collectors.toList()).containsAll(wanted), true);
        }
        List<String> found = new ArrayList<>();
        try (var paths = Files.newDirectoryStream(Paths.get("/dev"), "{meter,bell}[0-9]")) {
            paths.forEach(path -> found.add(path.toString()));
        }
        found.sort(null);
        equal(found, Arrays.asList(BELL, METER));
        try (Stream<Path> paths = Files.walk(Paths.get("/dev"), 1)) {
            equal(paths.filter(path -> path.endsWith("meter0")).count(), 1L);
        }
    }

    static void waiting() throws Exception {
        ring();
        try (BufferedReader bell = new BufferedReader(new FileReader(BELL))) {
            equal(bell.readLine().startsWith("strike "), true);
        }
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<String>> struck = new ArrayList<>();
        try (FileInputStream bell = new FileInputStream(BELL)) {
            Callable<String> read = () -> {
                byte[] room = new byte[100];
                return new String(room, 0, bell.read(room));
            };
            for (int i = 0; i < 4; i++)
                struck.add(pool.submit(read));
            for (int i = 0; i < 4; i++)
                ring();
            for (Future<String> one : struck)
                equal(one.get().startsWith("strike "), true);
        } finally {
            pool.shutdown();
        }
    }

    static void closedByAnotherThread() throws Exception {
        FileChannel bell = FileChannel.open(Paths.get(BELL));
        Thread reader = new Thread(() -> {
            try {
                bell.read(ByteBuffer.allocate(10));
            } catch (IOException expected) {
                return;
            }
            throw new AssertionError("read went on");
        });
        reader.start();
        while (reader.getStackTrace().length == 0 || !reader.getStackTrace()[0].isNativeMethod())
            Thread.onSpinWait();
        bell.close();
        reader.join(10000);
        equal(reader.isAlive(), false);
    }

    static void terminal() throws Exception {
        equal(output(new ProcessBuilder("stty", "-F", GPS, "raw", "-echo")), "0");
        try (RandomAccessFile port = new RandomAccessFile(GPS, "rw")) {
            port.writeBytes("$PMTK605*31\r\n");
            StringBuilder heard = new StringBuilder();
            while (heard.indexOf("PMTK705") < 0 || heard.indexOf("5231.2000,N") < 0)
                heard.append((char) port.readByte());
            fails(IOException.class, "Illegal seek", port::getFilePointer);
        }
        try (BufferedReader port = new BufferedReader(new InputStreamReader(new FileInputStream(GPS)))) {
            equal(port.readLine().startsWith("$GP"), true);
        }
    }

    static void processes() throws Exception {
        equal(output(new ProcessBuilder("cat", METER)), READINGS + "0");
        equal(output(new ProcessBuilder("sort").redirectInput(new File(METER))), "alpha 1\nbravo 2\ncharlie 3\ndelta 4\n0");
        equal(output(new ProcessBuilder("sh", "-c", "echo 66 > " + METER + "; exit 7")), "7");
        Process echo = new ProcessBuilder("echo", "67").redirectOutput(new File(METER)).start();
        equal(echo.waitFor(), 0);
        ProcessBuilder bare = new ProcessBuilder("/bin/cat", METER);
        bare.environment().clear();
        equal(output(bare), READINGS + "0");
        Process cat = Runtime.getRuntime().exec(new String[] { "cat", "meter0" }, null, new File("/dev"));
        equal(all(cat.getInputStream()), READINGS);
    }

    public static void main(String[] words) throws Exception {
        check("streams", Tour::streams);
        check("readers", Tour::readers);
        check("randomAccess", Tour::randomAccess);
        check("channels", Tour::channels);
        check("files", Tour::files);
        check("status", Tour::status);
        check("listings", Tour::listings);
        check("waiting", Tour::waiting);
        check("closedByAnotherThread", Tour::closedByAnotherThread);
        check("terminal", Tour::terminal);
        check("processes", Tour::processes);
        System.exit(failed ? 1 : 0);
    }
}
