#!/usr/bin/env python3
"""One EDC in the foreground, to try a partner with: prints what partner.toml wants to know of it, and goes on until Ctrl-C.

    script/interop edc-run plant-b
"""
import os
import signal
import sys

from connector import Edc


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "plant-b"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Edc(name, os.environ["ENTENTE_EDC_JARS"], data_plane=False) as edc:
        print(f'# An EDC as {name}, in memory; its log is {edc.log}\n'
              f'# The key of its Management API:  echo {edc.key} > edc.key\n'
              f'connector  = "edc"\n\n[edc]\nmanagement = "{edc.management}"\nkey_file   = "edc.key"\n'
              f'control    = "{edc.control}"\nprotocol   = "{edc.dsp}"', flush=True)
        edc.process.wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
