"""Looks at a page in a real browser (Chromium, as PyQt6-WebEngine brings it along), in a process of its own.

`python page_viewer.py PAGE PICTURE PDF WIDTH HEIGHT` prints what it measured as JSON. Exit code 77: there is no browser
here, and the last line says why.
"""

from __future__ import annotations

import sys
from pathlib import Path

MEASURE = """JSON.stringify({
  title: document.title, ready: document.readyState, wide: document.documentElement.scrollWidth, window: innerWidth,
  scripts: document.scripts.length, hacked: Boolean(window.hacked),
  background: getComputedStyle(document.body).backgroundColor,
  text: document.body.innerText.length, loaded: performance.getEntriesByType('resource').length,
  plots: [...document.querySelectorAll('svg')].map(one => one.getBoundingClientRect().width)})"""

LONGEST_MS = 90_000


def main() -> int:
    """Look, print, and write the picture and the PDF."""
    try:
        from PyQt6.QtCore import QTimer, QUrl
        from PyQt6.QtWebEngineWidgets import QWebEngineView
        from PyQt6.QtWidgets import QApplication
    except ImportError as error:
        print(error)
        return 77
    page, picture, pdf, width, height = sys.argv[1:]
    application = QApplication([sys.argv[0], "-platform", "offscreen"])
    view = QWebEngineView()
    view.resize(int(width), int(height))
    view.show()

    def measured(found: str) -> None:
        print(found, flush=True)
        view.page().printToPdf(pdf)

    def printed(_path: str, _is_good: bool) -> None:
        QTimer.singleShot(300, drawn)

    def drawn() -> None:
        view.grab().save(picture)
        application.quit()

    view.page().pdfPrintingFinished.connect(printed)
    view.loadFinished.connect(lambda _is_good: view.page().runJavaScript(MEASURE, measured))
    view.load(QUrl.fromLocalFile(str(Path(page).resolve())))
    QTimer.singleShot(LONGEST_MS, lambda: application.exit(1))
    return int(application.exec())


if __name__ == "__main__":
    sys.exit(main())
