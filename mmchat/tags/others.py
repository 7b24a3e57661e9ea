"""Everyday things: what a picture may show where it shows none of the things that an owner has."""

OTHERS = tuple(
    name.strip()
    for name in """
    person, dog, cat, bird, horse, fish, insect, tree, flower, grass, mountain, beach, sky, river,
    street, building, house, room, door, window, wall, floor, chair, table, sofa, bed, shelf,
    cupboard, curtain, carpet, mirror, clock, lamp, picture, book, newspaper, magazine, letter, box,
    bag, bottle, cup, plate, bowl, spoon, knife, pan, pot, car, bicycle, motorcycle, bus, train,
    boat, aeroplane, wheel, engine, traffic sign, bridge, fence, computer, laptop, keyboard,
    telephone, television, camera, radio, screen, cable, battery, printer, bread, cheese, meat,
    vegetable, fruit, cake, soup, pizza, drink, sauce, shirt, trousers, dress, shoe, hat, coat,
    glove, sock, jewellery, watch, glasses, umbrella, ball, toy, guitar, piano, drum, racket,
    skateboard, tent, rope, hammer, screwdriver, drill, saw, brush, ladder, bucket, hose, lawnmower,
    towel, soap, toothbrush, medicine, candle, vase, blanket, pillow, washing machine, refrigerator,
    oven, toaster, kettle, vacuum cleaner, hair dryer, iron, fan, heater, logo, text, diagram, map,
    drawing, pattern
    """.replace("\n", " ").split(",")
)
