"""Figures of one or two programs, as a Markdown table."""

import statistics


class Table:
    """Rows in the order in which they were first filled; a column for each program."""

    def __init__(self, columns):
        self.columns = list(columns)
        self.rows = {}

    def put(self, row, column, text):
        self.rows.setdefault(row, {})[column] = text

    def join(self, other):
        """The rows of another one, behind its own."""
        for row, cells in other.rows.items():
            for column, text in cells.items():
                self.put(row, column, text)

    def __str__(self):
        head = ["| figure | " + " | ".join(self.columns) + " |", "|---" * (len(self.columns) + 1) + "|"]
        rows = [f"| {name} | " + " | ".join(cells.get(column, "") for column in self.columns) + " |"
                for name, cells in self.rows.items()]
        return "\n".join(head + rows)


def quantile(values, part):
    values = sorted(values)
    return values[round((len(values) - 1) * part)]


def spread(values, digits=1):
    """`median (smallest..largest)`."""
    if not values:
        return "-"
    show = lambda value: f"{value:.{digits}f}"
    return f"{show(statistics.median(values))} ({show(min(values))}..{show(max(values))})"


def late(values, digits=2):
    """`p50, p90, max`; `inf` where somebody never came."""
    return ", ".join(f"{value:.{digits}f}" for value in (quantile(values, 0.5), quantile(values, 0.9), max(values)))
