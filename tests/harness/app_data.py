# SPDX-License-Identifier: Apache-2.0
"""
The application behind examples/scylla: users, products, orders with their items, and inventory transactions.

Everything comes from a seed. Its writes are the mixture that a ScyllaDB application makes: partial updates, changes of
map entries, deletes of columns, rows, ranges and partitions, inserts over deletes, batches, and rows that expire.
"""
import dataclasses
import datetime
import decimal
import random
import uuid

TABLES = {
    "users": ("user_id", "email", "name", "active", "metadata", "created_at"),
    "products": ("product_id", "title", "price", "stock", "attributes", "updated_at"),
    "orders": ("order_id", "user_id", "status", "total", "placed_at", "note"),
    "order_items": ("order_id", "item_id", "product_id", "quantity", "price"),
    "inventory_transactions": ("transaction_id", "product_id", "delta", "reason", "weight"),
}
KEYS = {"users": ("user_id",), "products": ("product_id",), "orders": ("order_id",),
        "order_items": ("order_id", "item_id"), "inventory_transactions": ("transaction_id",)}
MAPS = {"users": ("metadata",), "products": ("attributes",)}
WORDS = ("anvil", "bolt", "crate", "drum", "łódka", "funnel", "gasket", "東京", "ingot", "jig", "keg", "lathe", "mallet")
STATUSES = ("new", "paid", "packed", "sent", "returned")
ITEMS = 12  # an order's items are numbered below this
TTL_SECONDS = (2, 4, 6)


@dataclasses.dataclass
class Write:
    kind: str      # for the histogram
    cql: str       # with ? for values
    values: tuple
    rows: int = 1


class AppData:
    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.users, self.products, self.orders = [], [], []

    # Values

    def _uuid(self):
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def _timeuuid(self):
        """A version 1 UUID from the seed: the time is ours, so that runs can be repeated."""
        ticks = 0x1E0_0000_0000_0000 + self.random.getrandbits(56)
        return uuid.UUID(fields=(ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, (ticks >> 48 & 0x0FFF) | 0x1000,
                                 0x80 | self.random.getrandbits(6), self.random.getrandbits(8),
                                 self.random.getrandbits(48)))

    def _money(self):
        return decimal.Decimal(self.random.randrange(10_000_000)).scaleb(-2)

    def _moment(self):
        return datetime.datetime(2020, 1, 1) + datetime.timedelta(milliseconds=self.random.randrange(10 ** 11))

    def _word(self):
        return self.random.choice(WORDS)

    def _map(self):
        keys = self.random.sample(WORDS, self.random.randrange(1, 5))
        return {key: f"{self._word()} {self.random.randrange(100)}" for key in keys}

    # Writes, one kind each

    def new_user(self):
        key = self._uuid()
        self.users.append(key)
        return Write("insert", "INSERT INTO app_data.users (user_id, email, name, active, metadata, created_at) "
                     "VALUES (?, ?, ?, ?, ?, ?)",
                     (key, f"post+{len(self.users)}@example.org", self._word(), self.random.random() < .5,
                      self._map(), self._moment()))

    def new_product(self):
        key = self._uuid()
        self.products.append(key)
        return Write("insert", "INSERT INTO app_data.products (product_id, title, price, stock, attributes, updated_at) "
                     "VALUES (?, ?, ?, ?, ?, ?)",
                     (key, self._word(), self._money(), self.random.randrange(1000), self._map(), self._moment()))

    def new_order(self, key=None):
        key = key or self._uuid()
        self.orders.append(key)
        return Write("insert", "INSERT INTO app_data.orders (order_id, user_id, status, total, placed_at) "
                     "VALUES (?, ?, ?, ?, ?)",
                     (key, self.random.choice(self.users), "new", self._money(), self._moment()))

    def new_item(self, order=None):
        return Write("insert", "INSERT INTO app_data.order_items (order_id, item_id, product_id, quantity, price) "
                     "VALUES (?, ?, ?, ?, ?)",
                     (order or self.random.choice(self.orders), self.random.randrange(ITEMS),
                      self.random.choice(self.products), self.random.randrange(1, 100), self._money()))

    def items_in_a_batch(self):
        order = self.random.choice(self.orders)
        one = ("INSERT INTO app_data.order_items (order_id, item_id, product_id, quantity, price) "
               "VALUES (?, ?, ?, ?, ?);")
        numbers = self.random.sample(range(ITEMS), 3)
        values = [v for n in numbers for v in (order, n, self.random.choice(self.products), n + 1, self._money())]
        return Write("batch", f"BEGIN UNLOGGED BATCH {one} {one} {one} APPLY BATCH", tuple(values), 3)

    def new_transaction(self):
        return Write("insert", "INSERT INTO app_data.inventory_transactions (transaction_id, product_id, delta, reason, "
                     "weight) VALUES (?, ?, ?, ?, ?)",
                     (self._timeuuid(), self.random.choice(self.products), self.random.randrange(-50, 50),
                      self._word(), self.random.randrange(1000) / 8))

    def expiring_transaction(self):
        return Write("ttl", "INSERT INTO app_data.inventory_transactions (transaction_id, product_id, delta, reason) "
                     "VALUES (?, ?, ?, ?) USING TTL ?",
                     (self._timeuuid(), self.random.choice(self.products), 1, "reserved",
                      self.random.choice(TTL_SECONDS)))

    def expiring_note(self):
        return Write("ttl", "UPDATE app_data.orders USING TTL ? SET note = ? WHERE order_id = ?",
                     (self.random.choice(TTL_SECONDS), f"call the {self._word()}", self.random.choice(self.orders)))

    def change_status(self):
        return Write("partial update", "UPDATE app_data.orders SET status = ? WHERE order_id = ?",
                     (self.random.choice(STATUSES), self.random.choice(self.orders)))

    def change_price(self):
        return Write("partial update", "UPDATE app_data.products SET price = ?, updated_at = ? WHERE product_id = ?",
                     (self._money(), self._moment(), self.random.choice(self.products)))

    def change_quantity(self):
        return Write("partial update", "UPDATE app_data.order_items SET quantity = ? WHERE order_id = ? AND item_id = ?",
                     (self.random.randrange(100), self.random.choice(self.orders), self.random.randrange(ITEMS)))

    def put_entry(self):
        return Write("map entry", "UPDATE app_data.users SET metadata[?] = ? WHERE user_id = ?",
                     (self._word(), self._word(), self.random.choice(self.users)))

    def add_entries(self):
        return Write("map entry", "UPDATE app_data.products SET attributes = attributes + ? WHERE product_id = ?",
                     (self._map(), self.random.choice(self.products)))

    def remove_entry(self):
        return Write("map entry", "DELETE metadata[?] FROM app_data.users WHERE user_id = ?",
                     (self._word(), self.random.choice(self.users)))

    def replace_map(self):
        return Write("whole map", "UPDATE app_data.products SET attributes = ? WHERE product_id = ?",
                     (self._map(), self.random.choice(self.products)))

    def delete_column(self):
        return Write("delete column", "DELETE email FROM app_data.users WHERE user_id = ?",
                     (self.random.choice(self.users),))

    def delete_item(self):
        return Write("delete row", "DELETE FROM app_data.order_items WHERE order_id = ? AND item_id = ?",
                     (self.random.choice(self.orders), self.random.randrange(ITEMS)))

    def delete_items(self):
        low = self.random.randrange(ITEMS)
        return Write("delete range", "DELETE FROM app_data.order_items WHERE order_id = ? AND item_id >= ? AND item_id < ?",
                     (self.random.choice(self.orders), low, low + self.random.randrange(1, ITEMS)))

    def delete_all_items(self):
        return Write("delete partition", "DELETE FROM app_data.order_items WHERE order_id = ?",
                     (self.random.choice(self.orders),))

    def delete_order(self):
        at = self.random.randrange(len(self.orders))
        return Write("delete row", "DELETE FROM app_data.orders WHERE order_id = ?", (self.orders[at],))

    def insert_over(self):
        """An order that may have been deleted comes back."""
        key = self.random.choice(self.orders)
        self.orders.remove(key)
        return self.new_order(key)

    # Streams of writes

    def fill(self, users=400, products=200, orders=600, items=1800, transactions=600):
        """The rows that stand there before the pipeline starts."""
        for make, n in ((self.new_user, users), (self.new_product, products), (self.new_order, orders),
                        (self.new_item, items), (self.new_transaction, transactions)):
            for _ in range(n):
                yield make()

    def changes(self, total):
        kinds = [(self.change_status, 14), (self.change_price, 8), (self.change_quantity, 12), (self.put_entry, 8),
                 (self.add_entries, 6), (self.remove_entry, 4), (self.replace_map, 3), (self.delete_column, 2),
                 (self.delete_item, 5), (self.delete_items, 3), (self.delete_all_items, 2), (self.delete_order, 3),
                 (self.insert_over, 4), (self.new_user, 2), (self.new_order, 4), (self.new_item, 8),
                 (self.items_in_a_batch, 4), (self.new_transaction, 6), (self.expiring_transaction, 3),
                 (self.expiring_note, 2)]
        makers, weights = zip(*kinds)
        for make in self.random.choices(makers, weights, k=total):
            yield make()


# ---- both sides, row by row ----

def plain(value):
    """Both drivers' values in one form."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return value.normalize()
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc) if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
    if hasattr(value, "items"):
        return tuple(sorted(value.items()))
    return value


@dataclasses.dataclass
class Difference:
    table: str
    source_rows: int = 0
    target_rows: int = 0
    differing: int = 0
    examples: list = dataclasses.field(default_factory=list)


def _by_key(rows, keys, columns):
    at = [columns.index(key) for key in keys]
    found = {}
    for row in rows:
        values = tuple(plain(value) for value in row)
        found[tuple(values[i] for i in at)] = values
    return found


def compare(session, connection, table, maps=True):
    """session: of the driver for Cassandra; connection: psycopg2, its rows that are not marked deleted."""
    columns = [c for c in TABLES[table] if maps or c not in MAPS.get(table, ())]
    left = _by_key(session.execute(f"SELECT {', '.join(columns)} FROM app_data.{table}"), KEYS[table], columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM cdc_data.{table} WHERE __deleted IS DISTINCT FROM 'true'")
        right = _by_key(cursor, KEYS[table], columns)
    result = Difference(table, len(left), len(right))
    for key in left.keys() | right.keys():
        if left.get(key) != right.get(key):
            result.differing += 1
            if len(result.examples) < 3:
                result.examples.append(f"{table} {key}: source {left.get(key)}, target {right.get(key)}")
    return result
