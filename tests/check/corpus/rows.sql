-- A few rows for both databases: `check` makes rows of its own, the tests of the corpus want some to look at.

INSERT INTO customers (id, email, name, phone, city, fax) VALUES
    (1, 'ann@example.com', 'Ann Archer', '0301', 'Bern', '0302'), (2, 'bo@example.com', 'Bo Baker', '0303', NULL, NULL);
INSERT INTO items (id, sku, title, price, barcode, weight) VALUES
    (1, 'A-1', 'Axle', 10, '4006381333931', 3), (2, 'B-2', 'Bolt', 0.5, NULL, NULL);
INSERT INTO orders (id, customer_id, status, total, reference, remark) VALUES
    (1, 1, 'new', 20, 'R1', 'in a hurry'), (2, 1, 'shipped', 0.5, NULL, NULL), (3, 2, 'paid', 30, 'R3', NULL);
INSERT INTO order_lines (id, order_id, item_id, quantity) VALUES (1, 1, 1, 2), (2, 2, 2, 1), (3, 3, 1, 3);
INSERT INTO payments (id, order_id, amount, method, paid_on) VALUES
    (1, 2, 50, 'card', '2026-02-01'), (2, 3, 3000, 'cash', '2026-02-02');
INSERT INTO price_history (item_id, changed_at, price) VALUES
    (1, '2025-01-01 00:00:00', 9), (1, '2026-01-01 00:00:00', 10);
INSERT INTO readings (id, taken_on, sensor, value) VALUES
    (1, '2024-05-01', 1, 20.5), (2, '2025-05-01', 1, 21), (3, '2026-05-01', 2, 22);
INSERT INTO archive (id, label, memo, pages, stored_on, boxed_by) VALUES
    (1, 'Ledger 1987', 'water damage', 120, '1988-01-31', 'Ann'), (2, 'Ledger 1988', NULL, 90, '1989-01-31', NULL);
INSERT INTO archive_pages (id, archive_id, scan) VALUES (1, 1, 'page 1'), (2, 1, 'page 2');
