"""An ordinary program that reads a TMP102 with smbus2; the demo uses it where i2c-tools are not installed."""

from smbus2 import SMBus

with SMBus(1) as bus:
    value = bus.read_i2c_block_data(0x48, 0, 2)
    print(f"0x{value[1]:02x}{value[0]:02x}")
