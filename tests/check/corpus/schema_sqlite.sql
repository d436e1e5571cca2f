-- The shop that every script of the corpus finds, on SQLite: what PostgreSQL alone has is left out.
-- tests/check/running_code/app.py maps all of it but: customers.fax, items.weight, archive, archive_pages.

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    email VARCHAR(120) NOT NULL CONSTRAINT uq_customers_email UNIQUE,
    name VARCHAR(80) NOT NULL,
    phone VARCHAR(20),
    city TEXT,
    fax VARCHAR(20),
    loyalty INTEGER NOT NULL DEFAULT 0,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    sku VARCHAR(40) NOT NULL CONSTRAINT uq_items_sku UNIQUE,
    title VARCHAR(120) NOT NULL,
    price NUMERIC(10, 2) NOT NULL CONSTRAINT ck_items_price CHECK (price >= 0),
    barcode TEXT,
    weight INTEGER,
    weight_grams INTEGER
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL
        CONSTRAINT fk_orders_customer_id_customers REFERENCES customers (id) ON DELETE CASCADE,
    status VARCHAR(20) NOT NULL DEFAULT 'new' CONSTRAINT ck_orders_status CHECK (status IN ('new', 'paid', 'shipped')),
    total NUMERIC(12, 2) NOT NULL DEFAULT 0 CONSTRAINT ck_orders_total CHECK (total >= 0),
    reference VARCHAR(30),
    remark TEXT,
    placed_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_orders_customer_id ON orders (customer_id);
CREATE INDEX idx_orders_placed_at ON orders (placed_at);

CREATE TABLE order_lines (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL CONSTRAINT fk_order_lines_order_id_orders REFERENCES orders (id) ON DELETE CASCADE,
    item_id INTEGER NOT NULL CONSTRAINT fk_order_lines_item_id_items REFERENCES items (id),
    quantity INTEGER NOT NULL CONSTRAINT ck_order_lines_quantity CHECK (quantity > 0)
);
CREATE INDEX idx_order_lines_order_id ON order_lines (order_id);
CREATE INDEX idx_order_lines_item_id ON order_lines (item_id);

CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    method VARCHAR(20),
    paid_on DATE
);

CREATE TABLE price_history (
    item_id INTEGER NOT NULL,
    changed_at DATETIME NOT NULL,
    price NUMERIC(10, 2) NOT NULL
);

CREATE TABLE readings (
    id BIGINT NOT NULL,
    taken_on DATE NOT NULL,
    sensor INTEGER NOT NULL,
    value NUMERIC(8, 2),
    PRIMARY KEY (id, taken_on)
);

CREATE TABLE archive (
    id INTEGER PRIMARY KEY,
    label VARCHAR(60) NOT NULL,
    memo TEXT,
    pages INTEGER DEFAULT 1,
    stored_on DATE,
    boxed_by VARCHAR(40)
);
CREATE TABLE archive_pages (
    id INTEGER PRIMARY KEY,
    archive_id INTEGER NOT NULL CONSTRAINT fk_archive_pages_archive_id_archive REFERENCES archive (id),
    scan TEXT
);
CREATE INDEX idx_archive_pages_archive_id ON archive_pages (archive_id);

CREATE VIEW open_orders AS SELECT id, customer_id, status FROM orders WHERE status <> 'shipped';
CREATE VIEW archive_labels AS SELECT id, label FROM archive;
