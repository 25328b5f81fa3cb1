//! The subsets of Endpoints as the server keeps them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::canonical;

/// Ready or not, and the address in canonical form.
type Address = (bool, String);

/// Repacks subsets: ports that have the same addresses stand together, everything sorted. Returns whether that changed anything.
///
/// Source: `RepackSubsets` in `pkg/api/v1/endpoints/util.go` of Kubernetes.
pub fn repack(subsets: &mut Vec<Value>) -> bool {
    let mut addresses_of: BTreeMap<String, BTreeSet<Address>> = BTreeMap::new();
    for subset in subsets.iter() {
        let list = |name: &str| subset.get(name).and_then(Value::as_array).into_iter().flatten();
        let ready = list("addresses").map(|address| (true, canonical::json(address)));
        let addresses: BTreeSet<Address> =
            ready.chain(list("notReadyAddresses").map(|address| (false, canonical::json(address)))).collect();
        let ports: Vec<String> = list("ports").map(|port| canonical::json(&with_protocol(port))).collect();
        // Addresses without ports stand under no port.
        let ports = if ports.is_empty() { vec![String::new()] } else { ports };
        for port in ports {
            addresses_of.entry(port).or_default().extend(addresses.iter().cloned());
        }
    }
    let mut ports_of: BTreeMap<BTreeSet<Address>, Vec<String>> = BTreeMap::new();
    for (port, addresses) in addresses_of {
        ports_of.entry(addresses).or_default().push(port);
    }
    let repacked: Vec<Value> = ports_of.into_iter().map(|(addresses, ports)| subset(&addresses, &ports)).collect();
    let changed = *subsets != repacked;
    *subsets = repacked;
    changed
}

fn with_protocol(port: &Value) -> Value {
    let mut port = port.clone();
    if let Some(map) = port.as_object_mut() {
        map.entry("protocol").or_insert_with(|| json!("TCP"));
    }
    port
}

fn subset(addresses: &BTreeSet<Address>, ports: &[String]) -> Value {
    let read = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_default();
    let those = |ready: bool| -> Vec<Value> {
        addresses.iter().filter(|(is_ready, _)| *is_ready == ready).map(|(_, address)| read(address)).collect()
    };
    let parts = [
        ("addresses", those(true)),
        ("notReadyAddresses", those(false)),
        ("ports", ports.iter().filter(|port| !port.is_empty()).map(read).collect()),
    ];
    let parts = parts.into_iter().filter(|(_, list)| !list.is_empty());
    Value::Object(parts.map(|(name, list)| (name.to_owned(), Value::from(list))).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repacked(value: Value) -> Vec<Value> {
        let mut subsets = value.as_array().cloned().unwrap();
        repack(&mut subsets);
        subsets
    }

    #[test]
    fn order_and_packing_mean_nothing_and_addresses_do() {
        let declared = json!([
            {"addresses": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.1"}], "ports": [{"port": 80}]},
            {"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "ports": [{"port": 443, "protocol": "TCP"}]},
        ]);
        let live = json!([{
            "addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
            "ports": [{"port": 443, "protocol": "TCP"}, {"port": 80, "protocol": "TCP"}],
        }]);
        assert_eq!(repacked(declared.clone()), repacked(live));
        let other = json!([{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}, {"port": 443}]}]);
        assert_ne!(repacked(declared.clone()), repacked(other));
        let mut again = repacked(declared);
        assert!(!repack(&mut again), "repacking is idempotent");
    }
}
