"""I2C buses: linux/i2c-dev.h, linux/i2c.h."""

from __future__ import annotations

from devshim.known.record import known, value
from devshim.model import i2c_abi as abi

DESCRIPTIONS = [
    value("I2C_RETRIES", abi.I2C_RETRIES, "u64"),
    value("I2C_TIMEOUT", abi.I2C_TIMEOUT, "u64"),
    value("I2C_SLAVE", abi.I2C_SLAVE, "u64"),
    value("I2C_TENBIT", abi.I2C_TENBIT, "u64"),
    value("I2C_SLAVE_FORCE", abi.I2C_SLAVE_FORCE, "u64"),
    value("I2C_PEC", abi.I2C_PEC, "u64"),
    known("I2C_FUNCS", abi.I2C_FUNCS, "u64", "r"),
    known("I2C_RDWR", abi.I2C_RDWR, abi.I2cRdwrIoctlData, "w"),
    known("I2C_SMBUS", abi.I2C_SMBUS, abi.I2cSmbusIoctlData, "w"),
]
