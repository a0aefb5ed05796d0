//! Customers: who pays.

use stripe_client_core::{RequestBuilder, StripeRequest};
use stripe_core::customer::{CreateCustomer, OptionalFieldsCustomerAddress, UpdateCustomer};

use super::{address, checked, metadata};
use crate::{
    contract::payment::Address,
    integration::stripe::{Error, Stripe, objects::Customer},
};

#[derive(Debug, Clone, Copy)]
pub struct NewCustomer<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub address: &'a Address,
    pub metadata: &'a [(&'a str, String)],
}

impl Stripe {
    pub async fn create_customer(&self, new: &NewCustomer<'_>, key: &str) -> Result<Customer, Error> {
        self.transport.call(create(new), Some(key)).await
    }

    pub async fn update_customer(
        &self,
        id: &str,
        new: &NewCustomer<'_>,
        key: &str,
    ) -> Result<Customer, Error> {
        let request = update(checked(id)?, new);
        self.transport.call(request, Some(key)).await
    }
}

fn create(new: &NewCustomer<'_>) -> RequestBuilder {
    CreateCustomer::new()
        .email(new.email)
        .name(new.name)
        .address(address(new.address))
        .metadata(metadata(new.metadata))
        .build()
}

fn update(id: &str, new: &NewCustomer<'_>) -> RequestBuilder {
    // Empty here, and not left out: so that what is no longer part of the address goes.
    let whole = OptionalFieldsCustomerAddress {
        city: Some(new.address.city.clone()),
        country: Some(new.address.country.clone()),
        line1: Some(new.address.line1.clone()),
        line2: Some(new.address.line2.clone()),
        postal_code: Some(new.address.postal_code.clone()),
        state: Some(new.address.region.clone()),
    };
    UpdateCustomer::new(id)
        .email(new.email)
        .name(new.name)
        .address(whole)
        .metadata(metadata(new.metadata))
        .build()
}
