//! The process title: `proc-title-template` with its variables filled in.

use super::Settings;

/// The title; `name` is how the program was called, `file` the configuration file, where there is one.
pub fn process_title(settings: &Settings, name: &str, file: Option<&str>) -> String {
    let network = &settings.network;
    let variable = |variable: &str| match variable {
        "title" => name.to_owned(),
        "listen-addr" => match [network.port, network.tls_port].into_iter().find(|port| *port != 0) {
            Some(port) => format!("{}:{port}", network.bind.0.first().map_or("*", String::as_str)),
            None => format!("unixsocket:{}", network.unixsocket),
        },
        "config-file" => file.unwrap_or("-").to_owned(),
        "port" => network.port.to_string(),
        "tls-port" => network.tls_port.to_string(),
        "unixsocket" => network.unixsocket.clone(),
        // A server by itself has no mode to show.
        _ => String::new(),
    };
    let mut title = String::new();
    let mut rest = settings.general.proc_title_template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        title.push_str(before);
        rest = match after.strip_prefix('{') {
            Some(escaped) => {
                title.push('{');
                escaped
            }
            // The template was checked when it was set: every brace has its end.
            None => after.split_once('}').map_or("", |(name, tail)| {
                title.push_str(&variable(name));
                tail
            }),
        };
    }
    title.push_str(rest);
    title.trim_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_in() {
        let mut settings = Settings::default();
        settings.network.port = 0;
        settings.network.tls_port = 6380;
        settings.network.unixsocket = "/run/s".into();
        for (template, expected) in [
            ("{title} {listen-addr} {server-mode}", "prog *:6380"),
            ("{port}/{tls-port} {unixsocket} {config-file}", "0/6380 /run/s a.conf"),
            ("{{x} {title}", "{x} prog"),
        ] {
            settings.general.proc_title_template = template.into();
            assert_eq!(process_title(&settings, "prog", Some("a.conf")), expected);
        }
        settings.network.tls_port = 0;
        settings.general.proc_title_template = "{listen-addr} {config-file}".into();
        assert_eq!(process_title(&settings, "prog", None), "unixsocket:/run/s -");
    }
}
