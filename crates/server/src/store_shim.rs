use std::path::Path;
#[derive(Clone, Debug)]
pub struct Store;
impl Store {
    pub fn open(_: &Path) -> Result<Store, String> {
        Ok(Store)
    }
    pub fn record(&self, _: engine::CallRecord) {}
    pub fn event(&self, _: engine::LogEvent) {}
    pub fn last_call_id(&self) -> hotline_core::CallId {
        hotline_core::CallId(0)
    }
    pub fn dropped(&self) -> u64 {
        0
    }
}
