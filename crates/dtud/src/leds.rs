//! The three LEDs on LED class devices, where the settings file names some.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dtu_proto::event::Leds;
use tracing::warn;

/// The LEDs of this machine.
#[derive(Debug, Default)]
pub(crate) struct LedPanel {
    pow: Option<Led>,
    net: Option<Led>,
    data: Option<Led>,
}

impl LedPanel {
    /// Each name is that of a LED class device (`/sys/class/leds/NAME`), or the path of its folder or of its
    /// `brightness` file.
    pub(crate) fn new(pow: Option<&str>, net: Option<&str>, data: Option<&str>) -> Self {
        Self {
            pow: pow.map(Led::new),
            net: net.map(Led::new),
            data: data.map(Led::new),
        }
    }

    /// Switches those that changed.
    pub(crate) fn show(&mut self, leds: Leds) {
        let leds = [
            (&mut self.pow, leds.pow),
            (&mut self.net, leds.net),
            (&mut self.data, leds.data),
        ];
        for (led, on) in leds {
            if let Some(led) = led {
                led.switch(on);
            }
        }
    }
}

/// LedPanel that are no longer ours, or of a program that ends, are dark: POW says that the device runs.
impl Drop for LedPanel {
    fn drop(&mut self) {
        for led in [&mut self.pow, &mut self.net, &mut self.data]
            .into_iter()
            .flatten()
        {
            if led.on == Some(true) {
                led.switch(false);
            }
        }
    }
}

#[derive(Debug)]
struct Led {
    brightness: PathBuf,
    on: Option<bool>,
    failed: bool,
}

impl Led {
    fn new(name: &str) -> Self {
        let mut brightness = Path::new("/sys/class/leds").join(name);
        if brightness.is_dir() || !name.contains('/') {
            brightness.push("brightness");
        }
        Self {
            brightness,
            on: None,
            failed: false,
        }
    }

    fn switch(&mut self, on: bool) {
        if self.on == Some(on) {
            return;
        }
        self.on = Some(on);
        if let Err(error) = self.write(on) {
            // Said once: a led that is missing blinks for ever.
            if !std::mem::replace(&mut self.failed, true) {
                warn!("led {}: {error}", self.brightness.display());
            }
        }
    }

    fn write(&self, on: bool) -> io::Result<()> {
        if !on {
            return fs::write(&self.brightness, "0\n");
        }
        let most = fs::read_to_string(self.brightness.with_file_name("max_brightness"));
        fs::write(&self.brightness, most.as_deref().unwrap_or("1\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lamp_shines_at_its_greatest_brightness_and_goes_dark() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("brightness"), "").unwrap();
        fs::write(folder.path().join("max_brightness"), "255\n").unwrap();
        let mut leds = LedPanel::new(None, folder.path().to_str(), None);
        leds.show(Leds {
            pow: true,
            net: true,
            data: false,
        });
        assert_eq!(
            fs::read_to_string(folder.path().join("brightness")).unwrap(),
            "255\n"
        );
        leds.show(Leds {
            pow: true,
            net: false,
            data: false,
        });
        assert_eq!(
            fs::read_to_string(folder.path().join("brightness")).unwrap(),
            "0\n"
        );
    }

    #[test]
    fn lamps_that_are_given_up_go_dark() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("brightness"), "").unwrap();
        let mut leds = LedPanel::new(folder.path().to_str(), None, None);
        leds.show(Leds {
            pow: true,
            net: true,
            data: false,
        });
        drop(leds);
        assert_eq!(
            fs::read_to_string(folder.path().join("brightness")).unwrap(),
            "0\n"
        );
    }

    #[test]
    fn a_lamp_that_is_missing_hurts_nobody() {
        let mut leds = LedPanel::new(Some("/nonexistent/led/brightness"), None, None);
        leds.show(Leds {
            pow: true,
            net: true,
            data: false,
        });
        assert!(leds.pow.as_ref().unwrap().failed);
    }
}
