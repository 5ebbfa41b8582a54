"""A local stand-in for Google, Microsoft and Zoom, with faults on demand.

It shares no line with the product: what it knows about the services comes from their public documents.
"""
