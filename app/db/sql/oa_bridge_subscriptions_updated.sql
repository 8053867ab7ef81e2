-- Calls oa_bridge_subscriptions_counted once for each statement by which answers to popups, or reports of deliveries, are updated.
CREATE OR REPLACE TRIGGER oa_bridge_subscriptions_updated AFTER UPDATE ON subscription_events
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_subscriptions_counted();
