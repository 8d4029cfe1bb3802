//! Quantities and their prices.

use serde::Serialize;

/// One thing that costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostItem {
    /// What.
    pub item: String,
    /// How much of it.
    pub quantity: f64,
    /// Of what.
    pub unit: &'static str,
    /// What one of these costs.
    pub price: f64,
    /// What all of it costs.
    pub cost: f64,
}

/// What costs, and what has no price or was not measured.
#[derive(Debug, Default)]
pub(super) struct Bill {
    pub(super) items: Vec<CostItem>,
    pub(super) left_out: Vec<String>,
}

impl Bill {
    pub(super) fn add(&mut self, item: &str, quantity: Option<f64>, unit: &'static str, price: Option<f64>) {
        match (quantity, price) {
            (Some(quantity), Some(price)) => self.items.push(CostItem {
                item: item.to_owned(),
                quantity,
                unit,
                price,
                cost: quantity * price,
            }),
            (None, Some(_)) => self.left_out.push(format!("{item}: not measured")),
            (Some(quantity), None) if quantity > 0.0 => self.left_out.push(format!("{item}: has no price")),
            _ => {}
        }
    }
}
