"""JupyterLab, started where a SOCKS proxy is set: `python3 -m course_utils.reading.jupyterlab`.

When JupyterLab's extension manager is imported it makes HTTP clients for the proxies of the
environment, and for a SOCKS proxy they need a package that the course does not install (socksio).
So such variables are hidden during the import; kernels and terminals get them as they were.
"""

import os
import sys


def main() -> None:
    """Run JupyterLab with the arguments of this process; does not return."""
    proxies = {n: v for n, v in os.environ.items() if n.lower().endswith("_proxy")}
    socks = {name: url for name, url in proxies.items() if url.lower().startswith("socks")}
    for name in socks:
        del os.environ[name]
    from jupyterlab import labapp

    os.environ.update(socks)
    sys.exit(labapp.main())


if __name__ == "__main__":
    main()
