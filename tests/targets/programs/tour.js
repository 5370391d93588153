// A Node program as others write them: streams, promises, synchronous calls, terminals, child processes.
// It knows nothing of devshim.  Prints "ok NAME" for each check and ends with 1 if one failed.
"use strict";
const assert = require("assert");
const child = require("child_process");
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const tty = require("tty");

const METER = "/dev/meter0", BELL = "/dev/bell0", GPS = "/dev/ttyGPS0";
const LINES = ["delta 4", "alpha 1", "charlie 3", "bravo 2"];
const READINGS = LINES.join("\n") + "\n";

function fails(code, call) {
    assert.throws(call, { code });
}

function ring() {
    fs.writeFileSync(BELL, "ring\n");
}

function collect(stream) {
    return new Promise((resolve, reject) => {
        const parts = [];
        stream.on("data", part => parts.push(part)).on("error", reject).on("end", () => resolve(Buffer.concat(parts).toString()));
    });
}

const checks = {
    synchronous() {
        assert.strictEqual(fs.readFileSync(METER, "utf8"), READINGS);
        assert.strictEqual(fs.readFileSync(METER).length, READINGS.length);
        const fd = fs.openSync(METER, "r+");
        const room = Buffer.alloc(100);
        assert.strictEqual(fs.readSync(fd, room, 0, 8, null), 8);
        assert.strictEqual(room.toString("latin1", 0, 8), "delta 4\n");
        assert.strictEqual(fs.readvSync(fd, [room.subarray(0, 5), room.subarray(50)]), READINGS.length - 8);
        assert.strictEqual(fs.readSync(fd, room, 0, 100, null), 0);
        assert.strictEqual(fs.writeSync(fd, "50\n"), 3);
        assert.strictEqual(fs.writevSync(fd, [Buffer.from("5"), Buffer.from("1\n")]), 3);
        fails("ERANGE", () => fs.writeSync(fd, "1000"));
        fs.closeSync(fd);
        fails("EBADF", () => fs.readSync(fd, room));
        fails("ENOENT", () => fs.openSync("/dev/meter1"));
        fails("EEXIST", () => fs.openSync(METER, "wx"));
        fs.writeFileSync(METER, "52\n");
        fs.appendFileSync(METER, "53\n");
        fails("ERANGE", () => fs.writeFileSync(METER, "1000"));
    },

    status() {
        const fd = fs.openSync(METER);
        const all = [fs.statSync(METER), fs.lstatSync(METER), fs.fstatSync(fd)];
        fs.closeSync(fd);
        for (const one of all) {
            assert(one.isCharacterDevice() && !one.isFile() && one.size === 0);
            assert.deepStrictEqual([one.rdev, one.ino, one.dev, one.mode], [all[0].rdev, all[0].ino, all[0].dev, all[0].mode]);
        }
        assert(fs.existsSync(METER) && !fs.existsSync("/dev/meter1"));
        fs.accessSync(METER, fs.constants.R_OK | fs.constants.W_OK);
        fails("EACCES", () => fs.accessSync(METER, fs.constants.X_OK));
        assert.strictEqual(fs.realpathSync("/dev/../dev/meter0"), METER);
        assert.strictEqual(fs.realpathSync.native("/dev/./meter0"), METER);
    },

    listings() {
        const names = fs.readdirSync("/dev");
        assert(["meter0", "bell0", "ttyGPS0", "null"].every(name => names.includes(name)));
        assert.strictEqual(new Set(names).size, names.length);
        const found = fs.readdirSync("/dev", { withFileTypes: true }).find(entry => entry.name === "meter0");
        assert(found.isCharacterDevice() && !found.isFile());
        const folder = fs.opendirSync("/dev");
        let seen = false;
        for (let entry; (entry = folder.readSync()); )
            seen = seen || entry.name === "meter0";
        folder.closeSync();
        assert(seen);
    },

    terminals() {
        const port = fs.openSync(GPS, "r+"), meter = fs.openSync(METER);
        assert(tty.isatty(port) && !tty.isatty(meter));
        fs.closeSync(port);
        fs.closeSync(meter);
    },

    async callbacks() {
        const fd = await new Promise((resolve, reject) => fs.open(METER, "r", (error, fd) => error ? reject(error) : resolve(fd)));
        const text = await new Promise((resolve, reject) =>
            fs.read(fd, Buffer.alloc(100), 0, 100, null, (error, count, room) => error ? reject(error) : resolve(room.toString("latin1", 0, count))));
        assert.strictEqual(text, READINGS);
        await new Promise(resolve => fs.close(fd, resolve));
    },

    async promises() {
        assert.strictEqual(await fs.promises.readFile(METER, "utf8"), READINGS);
        await fs.promises.writeFile(METER, "54\n");
        await assert.rejects(fs.promises.writeFile(METER, "1000"), { code: "ERANGE" });
        const file = await fs.promises.open(METER, "r+");
        assert.strictEqual((await file.read(Buffer.alloc(100), 0, 100)).bytesRead, READINGS.length);
        assert((await file.stat()).isCharacterDevice());
        await file.write("55\n");
        await file.close();
        const lines = [];
        const again = await fs.promises.open(METER);
        for await (const line of again.readLines())
            lines.push(line);
        assert.deepStrictEqual(lines, LINES);
        assert((await fs.promises.readdir("/dev")).includes("meter0"));
    },

    async copies() {
        const folder = fs.mkdtempSync(path.join(require("os").tmpdir(), "tour-"));
        const copy = path.join(folder, "copy");
        await require("stream/promises").pipeline(fs.createReadStream(METER), fs.createWriteStream(copy));
        assert.strictEqual(fs.readFileSync(copy, "utf8"), READINGS);
        fs.rmSync(folder, { recursive: true });
    },

    async streams() {
        assert.strictEqual(await collect(fs.createReadStream(METER)), READINGS);
        assert.strictEqual(await collect(fs.createReadStream(METER, { highWaterMark: 3 })), READINGS);
        const out = fs.createWriteStream(METER);
        await new Promise((resolve, reject) => out.on("error", reject).end("56\n", resolve));
        const lines = [];
        for await (const line of readline.createInterface({ input: fs.createReadStream(METER) }))
            lines.push(line);
        assert.deepStrictEqual(lines, LINES);
    },

    async waiting() {
        const file = await fs.promises.open(BELL, "r+");
        const struck = file.read(Buffer.alloc(100), 0, 100); // waits in a thread of the pool
        assert.strictEqual(await Promise.race([struck, "the loop goes on"]), "the loop goes on");
        ring();
        const { bytesRead, buffer } = await struck;
        assert.match(buffer.toString("latin1", 0, bytesRead), /^strike \d+\n$/);
        await file.close();
        fails("EAGAIN", () => {
            const fd = fs.openSync(BELL, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
            try {
                fs.readSync(fd, Buffer.alloc(10));
            } finally {
                fs.closeSync(fd);
            }
        });
    },

    async aTerminalAsStream() {
        const fd = fs.openSync(GPS, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
        const port = new tty.ReadStream(fd);
        assert(port.isTTY);
        port.setRawMode(true);
        fs.writeSync(fd, "$PMTK605*31\r\n");
        let heard = "";
        await new Promise(resolve => port.on("data", part => {
            heard += part;
            if (/PMTK705.*\r\n/.test(heard) && /GPRMC.*5231.2000,N.*\r\n/.test(heard))
                resolve();
        }));
        port.destroy();
    },

    async aTerminalAsFile() {
        const port = fs.createReadStream(GPS);
        for await (const line of readline.createInterface({ input: port }))
            if (line.startsWith("$GPGGA"))
                break;
        port.destroy();
    },

    childrenSynchronous() {
        assert.strictEqual(child.execFileSync("cat", [METER], { encoding: "utf8" }), READINGS);
        assert.strictEqual(child.execSync(`sort < ${METER} | head -n 1`, { encoding: "utf8" }), "alpha 1\n");
        assert.strictEqual(child.spawnSync("sh", ["-c", `echo 1000 > ${METER}`]).status !== 0, true);
        const fd = fs.openSync(METER);
        assert.strictEqual(child.spawnSync("head", ["-n", "1"], { stdio: [fd, "pipe", "inherit"] }).stdout.toString(), "delta 4\n");
        fs.closeSync(fd);
        assert.strictEqual(child.execFileSync("/bin/cat", [METER], { encoding: "utf8", env: {} }), READINGS);
        assert.strictEqual(child.spawnSync("sh", ["-c", "exit 7"]).status, 7);
    },

    async children() {
        assert.strictEqual(await collect(child.spawn("cat", [METER]).stdout), READINGS);
        const fd = fs.openSync(METER, "w");
        const echo = child.spawn("echo", ["57"], { stdio: ["ignore", fd, "inherit"] });
        assert.strictEqual(await new Promise(resolve => echo.on("close", resolve)), 0);
        fs.closeSync(fd);
        const script = `process.stdout.write(require("fs").readFileSync("${METER}"))`;
        assert.strictEqual(await collect(child.spawn(process.execPath, ["-e", script], { cwd: "/dev" }).stdout), READINGS);
        const node = child.fork("-", { execArgv: ["-e", `process.send(require("fs").readFileSync("${METER}", "utf8"))`], silent: true });
        assert.strictEqual(await new Promise(resolve => node.on("message", resolve)), READINGS);
    },

    async workers() {
        const { Worker } = require("worker_threads");
        const source = `require("worker_threads").parentPort.postMessage(require("fs").readFileSync("${METER}", "utf8"))`;
        const answers = await Promise.all([1, 2, 3].map(() => new Promise((resolve, reject) =>
            new Worker(source, { eval: true }).on("message", resolve).on("error", reject))));
        assert.deepStrictEqual(answers, [READINGS, READINGS, READINGS]);
    },
};

(async () => {
    for (const [name, check] of Object.entries(checks)) {
        if (process.argv.length > 2 && !process.argv.includes(name))
            continue;
        try {
            await check();
            console.log("ok", name);
        } catch (error) {
            console.log("FAILED", name, error);
            process.exitCode = 1;
        }
    }
})();
