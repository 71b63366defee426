export {
  CONFIGURED_ENDPOINT_ID,
  type ConfiguredEndpoint,
  ensureConfiguredEndpoint,
} from "./configured-endpoint.ts";
export { createDeliveries } from "./deliveries.ts";
export type { Deliveries, DeliveriesOptions, DeliveriesStatus, EndpointDeliveryStatus } from "./types.ts";
