#!/bin/sh
exec postgres
