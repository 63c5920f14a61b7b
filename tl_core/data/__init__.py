"""Files in, checked examples out: hostile uploads, columns, findings, splits, bundled samples."""
