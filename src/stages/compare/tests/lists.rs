//! Elements of lists: matched by key, by value, or in order.

use super::*;

#[test]
fn lists() {
    let deploy = ("apps/v1", "Deployment");
    let case = |name, (version, kind): (&'static str, &'static str), declared, live, expected| -> Case {
        (name, version, kind, declared, live, expected)
    };
    let env = |entries: Value| container(json!({"env": entries}));
    hold(vec![
        case(
            "51 lists with keys in another order",
            deploy,
            pod(json!({"containers": [{"name": "a"}, {"name": "b"}], "volumes": [{"name": "x"}, {"name": "y"}]})),
            pod(json!({"containers": [{"name": "b"}, {"name": "a"}], "volumes": [{"name": "y"}, {"name": "x"}]})),
            &[],
        ),
        case(
            "51 init containers in another order (guard)",
            deploy,
            pod(json!({"initContainers": [{"name": "a"}, {"name": "b"}]})),
            pod(json!({"initContainers": [{"name": "b"}, {"name": "a"}]})),
            &["DL001 .spec.template.spec.initContainers"],
        ),
        case(
            "51 tolerations are atomic (guard)",
            deploy,
            pod(json!({"tolerations": [{"key": "a"}, {"key": "b"}]})),
            pod(json!({"tolerations": [{"key": "b"}, {"key": "a"}]})),
            &["DL001 .spec.template.spec.tolerations"],
        ),
        case(
            "52 a key that is left to its default",
            deploy,
            container(json!({"ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]})),
            container(
                json!({"ports": [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]}),
            ),
            &[],
        ),
        case(
            "55 a key twice: the last one counts",
            deploy,
            env(json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])),
            env(json!([{"name": "A", "value": "2"}])),
            &[],
        ),
        case(
            "56 an environment in another order",
            deploy,
            env(json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])),
            env(json!([{"name": "B", "value": "2"}, {"name": "A", "value": "1"}])),
            &[],
        ),
        case(
            "56 the order matters where one refers to another (guard)",
            deploy,
            env(json!([{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}])),
            env(json!([{"name": "B", "value": "$(A)"}, {"name": "A", "value": "1"}])),
            &[r#"DL001 .spec.template.spec.containers[name="api"].env"#],
        ),
        case(
            "56 envFrom is ordered (guard)",
            deploy,
            container(json!({"envFrom": [{"configMapRef": {"name": "a"}}, {"configMapRef": {"name": "b"}}]})),
            container(json!({"envFrom": [{"configMapRef": {"name": "b"}}, {"configMapRef": {"name": "a"}}]})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].envFrom"#],
        ),
        case(
            "57 finalizers are a set",
            deploy,
            json!({"metadata": {"finalizers": ["a/x", "b/x"]}}),
            json!({"metadata": {"finalizers": ["b/x", "a/x"]}}),
            &[],
        ),
        case(
            "57 ipFamilies are ordered (guard)",
            ("v1", "Service"),
            json!({"spec": {"ipFamilies": ["IPv4", "IPv6"]}}),
            json!({"spec": {"ipFamilies": ["IPv6", "IPv4"]}}),
            &["DL001 .spec.ipFamilies"],
        ),
        case(
            "58 subsets of Endpoints in another order",
            ("v1", "Endpoints"),
            json!({"subsets": [{"addresses": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]}),
            json!({"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "ports": [{"port": 80, "protocol": "TCP"}]}]}),
            &[],
        ),
        case(
            "60 an element that Git does not declare",
            ("v1", "Service"),
            json!({"spec": {"ports": [{"port": 80}]}}),
            json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}, {"port": 81, "protocol": "TCP", "targetPort": 81}]}}),
            &[r#"+ .spec.ports[port=81,protocol="TCP"]"#],
        ),
        case(
            "61 arguments in another order (guard)",
            deploy,
            container(json!({"args": ["a", "b"]})),
            container(json!({"args": ["b", "a"]})),
            &[r#"DL001 .spec.template.spec.containers[name="api"].args"#],
        ),
        case(
            "an element in the middle that is gone (guard)",
            deploy,
            env(json!([{"name": "A"}, {"name": "B"}, {"name": "C"}])),
            env(json!([{"name": "A"}, {"name": "C"}])),
            &[r#"DL002 .spec.template.spec.containers[name="api"].env[name="B"]"#],
        ),
    ]);
}
