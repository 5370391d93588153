"""From and to the formats of others: strace, umockdev, Wireshark, Perfetto, a browser."""
