-- The shop that every script of the corpus finds, on PostgreSQL.
-- tests/check/running_code/app.py maps all of it but: customers.fax, items.weight, archive, archive_pages.

CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped');
CREATE TYPE carrier AS ENUM ('post', 'bike');
CREATE SEQUENCE invoice_numbers;

CREATE TABLE customers (
    id serial PRIMARY KEY,
    email varchar(120) NOT NULL CONSTRAINT uq_customers_email UNIQUE,
    name varchar(80) NOT NULL,
    phone varchar(20),
    city text,
    fax varchar(20),
    loyalty integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE items (
    id serial PRIMARY KEY,
    sku varchar(40) NOT NULL CONSTRAINT uq_items_sku UNIQUE,
    title varchar(120) NOT NULL,
    price numeric(10, 2) NOT NULL CONSTRAINT ck_items_price CHECK (price >= 0),
    barcode text,
    weight integer,
    weight_grams integer
);

CREATE TABLE orders (
    id serial PRIMARY KEY,
    customer_id integer NOT NULL
        CONSTRAINT fk_orders_customer_id_customers REFERENCES customers (id) ON DELETE CASCADE,
    status order_status NOT NULL DEFAULT 'new',
    total numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT ck_orders_total CHECK (total >= 0),
    reference varchar(30),
    remark text,
    placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_orders_customer_id ON orders (customer_id);
CREATE INDEX idx_orders_placed_at ON orders (placed_at);

CREATE TABLE order_lines (
    id serial PRIMARY KEY,
    order_id integer NOT NULL CONSTRAINT fk_order_lines_order_id_orders REFERENCES orders (id) ON DELETE CASCADE,
    item_id integer NOT NULL CONSTRAINT fk_order_lines_item_id_items REFERENCES items (id),
    quantity integer NOT NULL CONSTRAINT ck_order_lines_quantity CHECK (quantity > 0)
);
CREATE INDEX idx_order_lines_order_id ON order_lines (order_id);
CREATE INDEX idx_order_lines_item_id ON order_lines (item_id);

CREATE TABLE payments (
    id serial PRIMARY KEY,
    order_id integer NOT NULL,
    amount integer NOT NULL,
    method varchar(20),
    paid_on date
);

CREATE TABLE price_history (
    item_id integer NOT NULL,
    changed_at timestamptz NOT NULL,
    price numeric(10, 2) NOT NULL
);

CREATE TABLE readings (
    id bigint NOT NULL,
    taken_on date NOT NULL,
    sensor integer NOT NULL,
    value numeric(8, 2),
    PRIMARY KEY (id, taken_on)
) PARTITION BY RANGE (taken_on);
CREATE TABLE readings_old PARTITION OF readings FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE readings_now PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);

CREATE TABLE archive (
    id serial PRIMARY KEY,
    label varchar(60) NOT NULL,
    memo text,
    pages integer DEFAULT 1,
    stored_on date,
    boxed_by varchar(40)
);
CREATE TABLE archive_pages (
    id serial PRIMARY KEY,
    archive_id integer NOT NULL CONSTRAINT fk_archive_pages_archive_id_archive REFERENCES archive (id),
    scan text
);
CREATE INDEX idx_archive_pages_archive_id ON archive_pages (archive_id);

CREATE VIEW open_orders AS SELECT id, customer_id, status FROM orders WHERE status <> 'shipped';
CREATE VIEW archive_labels AS SELECT id, label FROM archive;
CREATE MATERIALIZED VIEW customer_totals AS
    SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id;
CREATE UNIQUE INDEX idx_customer_totals_customer_id ON customer_totals (customer_id);

CREATE FUNCTION net_price(gross numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT gross / 1.2';

-- What an earlier expansion has left: items.weight (in kg) is read by nobody any more.
CREATE FUNCTION copy_item_weight() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.weight_grams := coalesce(NEW.weight_grams, NEW.weight * 1000);
    RETURN NEW;
END $$;
CREATE TRIGGER copy_item_weight BEFORE INSERT OR UPDATE ON items
    FOR EACH ROW EXECUTE FUNCTION copy_item_weight();
