# SPDX-License-Identifier: Apache-2.0
"""
The warehouse's workload: customers, orders, their line items, and products with a natural key.

Everything comes from a seed, so that a run can be repeated. Each step is one T-SQL transaction with the number of row
changes that it makes; identities are predicted, since nobody else inserts.
"""
import dataclasses
import random

TABLES = ("customers", "orders", "line_items", "products")
CITIES = ("Bergamo", "Besançon", "Chişinău", "Kraków", "Łódź", "Malmö", "München", "Ποτίδαια", "São Paulo", "東京", "Tromsø", "Ústí")
WORDS = ("anvil", "bolt", "crate", "drum", "easel", "funnel", "gasket", "hinge", "ingot", "jig", "keg", "lathe", "mallet")
STATUSES = ("new", "paid", "packed", "sent", "returned")


@dataclasses.dataclass
class Step:
    sql: str      # one transaction
    changes: int  # row changes in it


def text(value):
    return "N'" + value.replace("'", "''") + "'"


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


class Warehouse:
    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.next = {"customers": 1, "orders": 1, "line_items": 1}
        self.customers = []
        self.orders = []
        self.lines = []
        self.products = []
        self.numbered = 0

    # Rows

    def _moment(self, digits):
        r = self.random
        fraction = f"{r.randrange(10 ** digits):0{digits}d}"
        return (f"'20{r.randrange(10, 26):02d}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}T"
                f"{r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}.{fraction}'")

    def _take(self, table, n):
        first = self.next[table]
        self.next[table] += n
        return list(range(first, first + n))

    def insert_customers(self, n):
        ids = self._take("customers", n)
        self.customers += ids
        rows = ", ".join(
            f"({text(self.random.choice(WORDS) + ' & sons ' + str(i))}, "
            f"{'NULL' if self.random.random() < .1 else text(f'post+{i}@example.org')}, "
            f"{'NULL' if self.random.random() < .1 else text(self.random.choice(CITIES))}, "
            f"{money(self.random.randrange(10_000_000))}, {self._moment(3)})" for i in ids)
        return f"INSERT INTO dbo.customers (name, email, city, credit_limit, created_at) VALUES {rows};", n

    def insert_products(self, n):
        names = []
        for _ in range(n):
            self.numbered += 1
            names.append(f"SKU-{self.numbered:06d}")
        self.products += names
        rows = ", ".join(
            f"({text(name)}, {text(self.random.choice(WORDS))}, {money(self.random.randrange(1, 1_000_000))}, "
            f"{self.random.randrange(1000)}, {'NULL' if self.random.random() < .2 else self._moment(6)})" for name in names)
        return f"INSERT INTO dbo.products (id, title, price, stock, changed_at) VALUES {rows};", n

    def insert_orders(self, n):
        ids = self._take("orders", n)
        self.orders += ids
        rows = ", ".join(
            f"({self.random.choice(self.customers)}, {text(self.random.choice(STATUSES))}, "
            f"{money(self.random.randrange(1_000_000))}, {self._moment(3)}, "
            f"{'NULL' if self.random.random() < .5 else text('leave at the ' + self.random.choice(WORDS))})" for _ in ids)
        return f"INSERT INTO dbo.orders (customer_id, status, total, placed_at, note) VALUES {rows};", n

    def insert_lines(self, n):
        ids = self._take("line_items", n)
        self.lines += ids
        rows = ", ".join(
            f"({self.random.choice(self.orders)}, {text(self.random.choice(self.products))}, "
            f"{self.random.randrange(1, 100)}, {money(self.random.randrange(1_000_000))})" for _ in ids)
        return f"INSERT INTO dbo.line_items (order_id, product, quantity, price) VALUES {rows};", n

    # Changes

    def update_orders(self, n):
        some = sorted(self.random.sample(self.orders, min(n, len(self.orders))))
        return (f"UPDATE dbo.orders SET status = {text(self.random.choice(STATUSES))}, total = total + "
                f"{money(self.random.randrange(1, 500))}, note = NULL "
                f"WHERE id IN ({', '.join(map(str, some))});"), len(some)

    def update_customers(self, n):
        some = sorted(self.random.sample(self.customers, min(n, len(self.customers))))
        return (f"UPDATE dbo.customers SET city = {text(self.random.choice(CITIES))}, "
                f"credit_limit = {money(self.random.randrange(10_000_000))} "
                f"WHERE id IN ({', '.join(map(str, some))});"), len(some)

    def update_products(self, n):
        some = sorted(self.random.sample(self.products, min(n, len(self.products))))
        return (f"UPDATE dbo.products SET stock = stock + {self.random.randrange(1, 9)}, "
                f"changed_at = {self._moment(6)} WHERE id IN ({', '.join(map(text, some))});"), len(some)

    def delete_lines(self, n):
        some = set(self.random.sample(self.lines, min(n, len(self.lines))))
        self.lines = [i for i in self.lines if i not in some]
        return f"DELETE FROM dbo.line_items WHERE id IN ({', '.join(map(str, sorted(some)))});", len(some)

    def rename_product(self):
        """A key update: the row moves."""
        at = self.random.randrange(len(self.products))
        old = self.products[at]
        self.numbered += 1
        new = f"SKU-{self.numbered:06d}"
        self.products[at] = new
        return f"UPDATE dbo.products SET id = {text(new)} WHERE id = {text(old)};", 1

    def reuse_product(self):
        """Delete a product and give its number to a new one, in one transaction."""
        name = self.random.choice(self.products)
        return (f"DELETE FROM dbo.products WHERE id = {text(name)}; INSERT INTO dbo.products (id, title, price, stock) "
                f"VALUES ({text(name)}, N'again', 1.00, 1);"), 2

    # Transactions

    def _transaction(self, parts):
        sql = "SET NOCOUNT ON; BEGIN TRANSACTION; " + " ".join(p[0] for p in parts) + " COMMIT;"
        return Step(sql, sum(p[1] for p in parts))

    def fill(self, customers=2000, products=500, orders=5000, lines=12500, rows=500):
        """The rows that stand there before the pipeline starts."""
        for insert, total in ((self.insert_customers, customers), (self.insert_products, products),
                              (self.insert_orders, orders), (self.insert_lines, lines)):
            while total > 0:
                yield self._transaction([insert(min(rows, total))])
                total -= rows

    def changes(self, total, largest=400):
        """Transactions with about total row changes: small and large, over one table and over several."""
        made = 0
        if not (self.customers and self.products and self.orders and self.lines):  # nothing to change yet
            for step in self.fill(customers=20, products=10, orders=20, lines=40):
                made += step.changes
                yield step
        while made < total:
            n = min(self.random.choice((1, 1, 2, 5, 20, 100, largest)), total - made)
            step = self._transaction(self._mixture(n))
            made += step.changes
            yield step

    def _mixture(self, n):
        r = self.random
        kind = r.randrange(10)
        if kind == 0:
            return [self.insert_customers(n)]
        if kind == 1:
            return [self.rename_product()] if n == 1 else [self.rename_product(), self.update_products(n - 1)]
        if kind == 2:
            return [self.reuse_product()] if n >= 2 else [self.rename_product()]
        if kind in (3, 4):  # an order with its lines
            lines = max(1, n - 1)
            return [self.insert_orders(max(1, n - lines)), self.insert_lines(lines)]
        if kind == 5:
            return [self.delete_lines(n) if self.lines else self.insert_lines(n)]
        if kind == 6:
            return [self.update_customers(n)]
        if kind == 7:
            return [self.update_products(n)]
        return [self.update_orders(n)]
